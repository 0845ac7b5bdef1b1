# Gi* of values on a square grid, the neighbours being those that touch.
need("spdep")
y <- take("y")
side <- sqrt(length(y))
near <- spdep::cell2nb(side, side, type = "queen")
weights <- spdep::nb2listw(spdep::include.self(near), style = "B")
tell("z", timed(spdep::localG(y, weights)))
