"""The ONNX Runtime worker: timm's Vision Transformer, exported by torch.onnx.export."""
import onnxruntime
from protocol import CannotDo, serve, values


def prepare(task):
    if task["kind"] == "training":
        raise CannotDo("ONNX Runtime's package doesn't train")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    session = onnxruntime.InferenceSession(task["onnx"], options, providers=["CPUExecutionProvider"])
    x = {"images": values(task)}

    def work():
        return session.run(None, x)[0]

    return work(), work


if __name__ == "__main__":
    serve(prepare)
