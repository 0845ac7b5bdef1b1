def sentence(t): return ""
