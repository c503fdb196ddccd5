plot data using 0:"no_such_column" with boxes
