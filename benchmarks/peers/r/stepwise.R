# Stepwise search by BIC: from the empty model, one column a factor, coefficients above 0, Wald p at most .05.
family <- take("family")
need(if (family == "nb2") "MASS" else "stats")
columns <- take("columns")
factors <- take("factor")
y <- take("y")
number <- 0

fitted_with <- function(chosen) {
  number <<- number + 1
  design <- if (length(chosen)) columns[, chosen, drop = FALSE] else NULL
  model <- tryCatch(suppressWarnings(
    if (family == "nb2") {
      if (is.null(design)) MASS::glm.nb(y ~ 1) else MASS::glm.nb(y ~ design)
    } else {
      if (is.null(design)) glm(y ~ 1, family = poisson) else glm(y ~ design, family = poisson)
    }
  ), error = function(e) NULL)
  if (is.null(model)) return(NULL)
  rows <- coef(summary(model))
  extra <- rows[-1, , drop = FALSE]
  list(bic = BIC(model), allowed = all(extra[, 1] > 0) && all(extra[, 4] <= 0.05), b = rows[, 1])
}

search <- function() {
  chosen <- integer(0)
  now <- fitted_with(chosen)
  repeat {
    adding <- lapply(which(!(factors %in% factors[chosen])), function(j) c(chosen, j))
    leaving <- if (length(chosen) > 1) lapply(seq_along(chosen), function(k) chosen[-k])
    best <- NULL
    for (trial in c(adding, leaving)) {
      one <- fitted_with(trial)
      if (!is.null(one) && one$allowed && one$bic < now$bic - 1e-9) {
        now <- one
        best <- trial
      }
    }
    if (is.null(best)) return(list(chosen = chosen, fit = now))
    chosen <- best
  }
}

result <- timed(search())
tell("chosen", result$chosen - 1)
tell("bic", result$fit$bic)
tell("coefficients", result$fit$b)
tell("fits", number)
