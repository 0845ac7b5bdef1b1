# One generalised linear model, as often as asked, of the family asked.
family <- take("family")
need(if (family == "nb2") "MASS" else "stats")
design <- take("columns")[, take("chosen") + 1, drop = FALSE]
y <- take("y")
model <- timed(if (family == "nb2") MASS::glm.nb(y ~ design) else glm(y ~ design, family = poisson))
tell("coefficients", coef(model))
tell("bic", BIC(model))
