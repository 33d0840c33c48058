-- the model registry's own database, beside the one of features, changes and forecasts
CREATE DATABASE mlflow;
