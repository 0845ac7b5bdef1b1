# Endemic-epidemic counts, one lag, negative binomial.
need("surveillance")
counts <- take("counts")
touching <- take("touching")
share <- take("share")
months <- nrow(counts)
series <- surveillance::sts(
  counts, start = c(2012, 1), frequency = 12, neighbourhood = touching,
  population = matrix(share, months, length(share), byrow = TRUE)
)
endemic <- surveillance::addSeason2formula(~ 1 + I(t / 12), S = 1, period = 12)
control <- list(
  end = list(f = endemic, offset = surveillance::population(series)), ar = list(f = ~1),
  ne = list(f = ~1, weights = touching / rowSums(touching)), family = "NegBin1", subset = 2:take("last")
)
found <- timed(surveillance::hhh4(series, control))
tell("likelihood", logLik(found))
