# Weights of the untreated that add up to given totals: truncated linear calibration.
need("survey")
frame <- as.data.frame(take("pool"))
frame$start <- take("start")
total <- take("total")
design <- survey::svydesign(ids = ~1, weights = ~start, data = frame)
model <- as.formula(paste("~", paste(setdiff(names(frame), "start"), collapse = " + "), "- 1"))
names(total) <- setdiff(names(frame), "start")
found <- timed(survey::calibrate(
  design, model, population = total, calfun = "linear", bounds = c(0, Inf), maxit = 500, epsilon = 1e-4
))
tell("weights", weights(found))
