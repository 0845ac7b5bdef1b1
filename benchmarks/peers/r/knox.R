# Knox's test of one pair of limits with permutations, from full distance matrices.
need("surveillance")
xy <- take("xy")
day <- take("day")
set.seed(1)
found <- timed(surveillance::knox(
  dt = dist(day), ds = dist(xy), eps.t = take("days"), eps.s = take("metres"),
  simulate.p.value = TRUE, B = take("permutations")
))
tell("observed", found$statistic)
tell("expected", surveillance::knox(
  dt = dist(day), ds = dist(xy), eps.t = take("days"), eps.s = take("metres"), simulate.p.value = FALSE
)$null.value)
tell("p", found$p.value)
