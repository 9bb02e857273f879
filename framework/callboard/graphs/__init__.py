"""What models are built with from published weights: tensors read without torch, ONNX graphs written to fixed bytes."""
