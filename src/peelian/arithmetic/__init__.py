"""What two stages need: arrays in, small frozen results out."""
