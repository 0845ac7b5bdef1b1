# Kernel density of points on a grid, quartic, divided by the part of the kernel inside.
need("spatstat.explore", "spatstat.geom")
xy <- take("xy")
wide <- take("wide")
high <- take("high")
points <- spatstat.geom::ppp(xy[, 1], xy[, 2], window = spatstat.geom::owin(c(0, wide), c(0, high)), check = FALSE)
# the standard deviation of a quartic kernel is its radius over the root of 8
image <- timed(spatstat.explore::density.ppp(
  points, sigma = take("radius") / sqrt(8), kernel = "quartic", edge = TRUE,
  dimyx = c(high, wide) / take("cell")
))
tell("density", image$v)
