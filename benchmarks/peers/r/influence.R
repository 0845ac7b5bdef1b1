# Near, and lying thick: by layer 0/1 columns of cells, from nearest distances and all pairs within reach.
need("spatstat.geom")
cells <- take("cells")
features <- take("features")
layer <- take("layer")
distances <- take("distances")
box <- spatstat.geom::owin(c(0, take("side")), c(0, take("side")))
as_points <- function(xy) spatstat.geom::ppp(xy[, 1], xy[, 2], window = box, check = FALSE)
centres <- as_points(cells)

columns_of <- function(number) {
  points <- as_points(features[layer == number, , drop = FALSE])
  nearest <- spatstat.geom::nncross(centres, points, what = "dist")
  pairs <- spatstat.geom::crosspairs(centres, points, rmax = max(distances), what = "ijd")
  one <- function(d) {
    inside <- pairs$d < d
    weight <- 2 / (pi * d^2) * (1 - (pairs$d[inside] / d)^2)
    sums <- numeric(nrow(cells))
    found <- rowsum(weight, pairs$i[inside])
    sums[as.integer(rownames(found))] <- found
    c(nearest <= d, sums >= mean(sums) + 2 * sd(sums))
  }
  matrix(vapply(distances, one, logical(2 * nrow(cells))), nrow(cells))
}

marks <- timed(do.call(cbind, lapply(sort(unique(layer)), columns_of)))
# two sums a column tell whether the same cells have it
tell("ones", colSums(marks))
tell("places", crossprod(marks, seq_len(nrow(cells))))
