# Interrupted series: a Poisson regression and its standard errors after Newey and West.
need("sandwich")
design <- take("design")
y <- take("y")
days <- take("days")
fit <- function() {
  model <- glm(y ~ design - 1 + offset(log(days)), family = poisson)
  spread <- sandwich::NeweyWest(model, lag = take("lags"), prewhite = FALSE, adjust = FALSE)
  list(b = coef(model), se = sqrt(diag(spread)))
}
found <- timed(for (k in seq_len(take("times"))) last <- fit())
tell("coefficients", last$b)
tell("errors", last$se)
