"""Small TensorFlow Lite models, read and run in torch."""
