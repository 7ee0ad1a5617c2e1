"""ONNX Runtime on one thread with all graph optimisations, input and output bound to memory of their own."""

import numpy
import onnxruntime

import worker
from onnx_graph import make_graph

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


def prepare(shape):
    session = onnxruntime.InferenceSession(make_graph(shape), options, providers=["CPUExecutionProvider"])
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
    return output.numpy(), {"inference": inference}


worker.serve(onnxruntime.__version__, prepare)
