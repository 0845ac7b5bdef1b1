# A self-exciting process with covariates, on the example that the package brings.
need("surveillance")
suppressMessages(library(surveillance))
data("imdepi")
background <- addSeason2formula(
  ~ offset(log(popdensity)) + I(start / 365 - 3.5), S = 1, period = 365, timevar = "start"
)
found <- timed(suppressMessages(twinstim(
  endemic = background, epidemic = ~ type + agegrp, siaf = siaf.gaussian(1), data = imdepi,
  subset = !is.na(agegrp), optim.args = list(par = take("start"), control = list(trace = 0)),
  model = FALSE, cumCIF = FALSE, verbose = FALSE
)))
tell("coefficients", coef(found))
tell("likelihood", logLik(found))
