# Called as: Rscript common.R SCRIPT FOLDER. Reads arrays from the folder, times what the script asks, and writes
# what it tells, a line a name, into told.txt.
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[2]
cpu <- NA

here <- function(name) file.path(folder, name)

# an array that the caller wrote: a vector or a matrix of numbers, or lines of text
take <- function(name) {
  words <- here(paste0(name, ".txt"))
  if (file.exists(words)) return(readLines(words))
  shape <- strsplit(readLines(here(paste0(name, ".shape"))), " ")[[1]]
  size <- as.numeric(shape[-(1:2)])
  file <- file(here(paste0(name, ".bin")), "rb")
  on.exit(close(file))
  values <- readBin(file, shape[1], prod(size), size = as.integer(shape[2]))
  if (length(size) == 2) matrix(values, size[1], size[2]) else values
}

say <- function(...) cat(paste(...), "\n", sep = "", file = here("told.txt"), append = TRUE)

tell <- function(name, value) say(name, paste(format(as.numeric(value), digits = 15, trim = TRUE), collapse = " "))

# the packages of a script; the first that is missing is told and nothing else is done
need <- function(...) {
  for (package in c(...)) if (!requireNamespace(package, quietly = TRUE)) {
    say("absent", package)
    quit(status = 0)
  }
  versions <- vapply(c(...), function(package) paste(package, packageVersion(package)), "")
  say("version", paste(c(paste("R", getRversion()), versions), collapse = ", "))
}

# seconds of the processor that an expression takes, children included
timed <- function(expression) {
  gc()
  before <- proc.time()
  value <- force(expression)
  cpu <<- sum((proc.time() - before)[-3])
  value
}

source(arguments[1])
say("seconds", cpu)
