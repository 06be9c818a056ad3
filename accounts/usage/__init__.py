"""Space over time, as numbers: packed series, forecasts and the lines of a chart. Pure: no database and no clock."""
