# One model with the variance mu (1 + sigma), of which glmmTMB is the one maker in Debian.
need("glmmTMB")
columns <- take("columns")
chosen <- take("chosen") + 1
y <- take("y")
design <- columns[, chosen, drop = FALSE]
model <- timed(glmmTMB::glmmTMB(y ~ design, family = glmmTMB::nbinom1))
tell("coefficients", glmmTMB::fixef(model)$cond)
tell("sigma", glmmTMB::sigma(model))
tell("bic", BIC(model))
