"""The page that people look at, made with Gradio: a program of its own that calls the HTTP API."""
