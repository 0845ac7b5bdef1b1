# Elastic net, Poisson, coefficients of at least 0, down given penalties: the means it fits at the last.
need("glmnet", "Matrix")
suppressMessages(library(Matrix)) # glmnet binds sparse columns by its methods
columns <- Matrix::Matrix(take("columns") + 0, sparse = TRUE)
penalties <- take("penalties")
found <- timed(glmnet::glmnet(
  columns, take("y"), family = "poisson", alpha = take("ratio"), lower.limits = 0, lambda = penalties
))
tell("means", predict(found, columns, s = min(penalties), type = "response"))
