"""OpenVINO, tuned for latency on one thread, in f32: left alone it takes bfloat16 on processors that have it."""

import openvino

import worker
from onnx_graph import make_graph

core = openvino.Core()
settings = {
    "PERFORMANCE_HINT": "LATENCY",
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
    "ENABLE_CPU_PINNING": False,
}


def prepare(shape):
    compiled = core.compile_model(core.read_model(make_graph(shape)), "CPU", settings)
    request = compiled.create_infer_request()
    data, _ = shape.data()
    tensor = openvino.Tensor(data, shared_memory=True)
    request.set_input_tensor(tensor)

    # The defaults keep what the request reads and has no reference to of its own.
    def inference(kept=(data, tensor, compiled)):
        request.infer(share_outputs=True)

    inference()
    return request.get_output_tensor().data, {"inference": inference}


worker.serve(openvino.__version__.split("-")[0], prepare)
