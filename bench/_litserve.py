"""LitServe with one ONNX model behind HTTP, for ``bench/runtime.py``: batches of 16, at most 3 ms waited for."""

from __future__ import annotations

import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime


class Served(litserve.LitAPI):  # type: ignore[misc]  # LitServe has no types that mypy reads
    """Pads the token ids of a batch, runs it, and gives each caller a row; pictures come as base64 float32."""

    def setup(self, device: str) -> None:
        """Load the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(sys.argv[3])
        self.session = onnxruntime.InferenceSession(sys.argv[2], options, providers=["CPUExecutionProvider"])

    def decode_request(self, request) -> list[int]:  # type: ignore[no-untyped-def]  # noqa: ANN001 - LitServe takes an annotation for a query
        """Take the token ids."""
        ids: list[int] = request["ids"]
        return ids

    def batch(self, inputs: list[Any]) -> list[Any]:
        """Keep them as a list: they differ in length."""
        return list(inputs)

    def predict(self, x: list[list[int]], **_: Any) -> Any:
        """Run one batch."""
        longest = max(map(len, x))
        ids = np.zeros((len(x), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, one in enumerate(x):
            ids[row, : len(one)], mask[row, : len(one)] = one, 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        names = {one.name for one in self.session.get_inputs()}
        return self.session.run(None, {name: feed[name] for name in feed if name in names})[0]

    def unbatch(self, output: np.ndarray[Any, Any]) -> list[Any]:
        """Give the rows."""
        return list(output)

    def encode_response(self, output: Any, **_: Any) -> dict[str, Any]:
        """Give one row as JSON."""
        return {"embedding": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(
        Served(max_batch_size=16, batch_timeout=0.003), accelerator="cpu", workers_per_device=1, track_requests=False
    )
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, num_api_servers=1, log_level="error"
    )
