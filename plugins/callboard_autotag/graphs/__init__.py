"""ONNX graphs that are built from published weights, without torch and always to the same bytes."""
