"""ONNX Runtime on one thread with all graph optimisations, input and output bound to memory of their own."""

import pathlib
import tempfile

import numpy
import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

import worker
from onnx_graph import OPERATORS, make_graph

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


def quantised(graph):
    """The graph with weights of 8 bits, unless recurrent layers stay in f32, as all but the LSTM do."""
    with tempfile.TemporaryDirectory() as name:
        source, target = (pathlib.Path(name) / file for file in ["float.onnx", "int8.onnx"])
        source.write_bytes(graph)
        quantize_dynamic(source, target, weight_type=QuantType.QInt8)
        result = target.read_bytes()
    left = {node.op_type for node in onnx.load_from_string(result).graph.node} & set(OPERATORS.values())
    if left:
        raise worker.Refusal(f"its quantize_dynamic leaves {', '.join(left)} in float32")
    return result


def prepare(shape, precision):
    graph = make_graph(shape)
    if precision == "int8":
        graph = quantised(graph)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    data, gradient = shape.data()
    value = onnxruntime.OrtValue.ortvalue_from_numpy(data)
    output = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros_like(gradient))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", value)
    binding.bind_ortvalue_output("y", output)

    # The defaults keep what the binding reads and has no reference to of its own.
    def inference(kept=(data, value, output)):
        session.run_with_iobinding(binding)

    inference()
    return worker.Prepared(output.numpy(), {"inference": inference})


worker.serve(onnxruntime.__version__, prepare)
