"""OpenVINO, tuned for latency on one thread, in the precision asked for: left alone it takes bfloat16 where it can."""

import openvino

import worker
from onnx_graph import make_graph

HINTS = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}
core = openvino.Core()
settings = {
    "PERFORMANCE_HINT": "LATENCY",
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,
}


def prepare(shape, precision):
    hint = {"INFERENCE_PRECISION_HINT": HINTS[precision]}
    compiled = core.compile_model(core.read_model(make_graph(shape)), "CPU", settings | hint)
    # A processor without instructions for bfloat16 computes in f32, whatever the hint says.
    if compiled.get_property("INFERENCE_PRECISION_HINT") != HINTS[precision]:
        raise worker.Refusal(f"does not compute in {precision} on this processor")
    request = compiled.create_infer_request()
    data, _ = shape.data()
    tensor = openvino.Tensor(data, shared_memory=True)
    request.set_input_tensor(tensor)

    # The defaults keep what the request reads and has no reference to of its own.
    def inference(kept=(data, tensor, compiled)):
        request.infer(share_outputs=True)

    inference()
    return worker.Prepared(request.get_output_tensor().data, {"inference": inference})


worker.serve(openvino.__version__.split("-")[0], prepare)
