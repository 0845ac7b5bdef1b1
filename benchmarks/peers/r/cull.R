# Elastic net, Poisson, coefficients of at least 0, cross-validated over given folds.
need("glmnet", "Matrix")
suppressMessages(library(Matrix)) # glmnet binds sparse columns by its methods
columns <- Matrix::Matrix(take("columns") + 0, sparse = TRUE)
y <- take("y")
fold <- take("fold") + 1
found <- timed(glmnet::cv.glmnet(
  columns, y, family = "poisson", alpha = take("ratio"), lower.limits = 0, foldid = fold, thresh = take("thresh"),
  nlambda = take("steps")
))
at <- as.vector(coef(found, s = "lambda.min"))
tell("penalty", found$lambda.min)
tell("deviance", min(found$cvm))
tell("kept", which(at[-1] != 0) - 1)
tell("penalties", length(found$lambda))
