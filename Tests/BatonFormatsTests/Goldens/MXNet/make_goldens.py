"""Writes the .params files of BatonFormatsTests beside itself.

Run with Python 3.10 or 3.11: pip install mxnet==1.9.1 "numpy<1.24"; python make_goldens.py

MXNet writes version 2 only. The files of the other versions are put together here and then read by MXNet itself, whose
result is checked, so that they are what MXNet takes them for.
"""

import os
import struct

import mxnet
import numpy

os.chdir(os.path.dirname(os.path.abspath(__file__)))
assert mxnet.__version__ == "1.9.1"

matrix = numpy.arange(1, 7).reshape(2, 3)
array = mxnet.nd.array

# Parity 4.1's example.
mxnet.nd.save("example.params", {
    "w": array(matrix, dtype="float32"),
    "_unfused.0.i2h_bias": array([1, -2], dtype="float64"),
})

# Every type MXNet 1.9.1 writes from Python; an export's prefixes; an empty array; names beyond ASCII.
mxnet.nd.save("types.params", {
    "arg:float32": array(matrix / 4, dtype="float32"),
    "arg:float64": array(matrix / 8, dtype="float64"),
    "aux:float16": array(matrix / 16 - 0.1, dtype="float16"),
    "uint8": array([0, 200, 255], dtype="uint8"),
    "int32": array([-(2**31), 2**31 - 1], dtype="int32"),
    "int8": array([-128, 127], dtype="int8"),
    "int64": array([-(2**62), 2**62], dtype="int64"),
    "bool": array([0, 1, 1], dtype="bool"),
    "é 名": array([[[7.0]]], dtype="float32"),
})

# What Baton must write byte for byte: its own four types, in this order.
mxnet.nd.save("written.params", {
    "arg:lstm0_l0_i2h_weight": array(matrix / 4, dtype="float32"),
    "aux:count": array([1, -(2**40)], dtype="int64"),
    "0.weight": array([[1.5], [-0.0]], dtype="float64"),
    "é": array([[[-3, 4]]], dtype="int32"),
})

mxnet.nd.save("list.params", [array(matrix, dtype="float32"), array([9], dtype="int32")])
mxnet.nd.save("empty.params", {})
mxnet.nd.save("sparse.params", {
    "dense": array(matrix, dtype="float32"),
    "rows": array(matrix, dtype="float32").tostype("row_sparse"),
})
mxnet.nd.save("csr.params", [array(matrix, dtype="float32").tostype("csr")])

# An LSTM with all its names, both ways Gluon saves them.
mxnet.random.seed(3)
layer = mxnet.gluon.rnn.LSTM(3, 2, bidirectional=True, input_size=2, prefix="lstm0_")
layer.initialize(mxnet.init.Uniform(1))
layer.save_parameters("lstm_block.params")
layer.collect_params().save("lstm_names.params")

# Parity 4.3's smallest example.
small = mxnet.gluon.rnn.GRU(2, input_size=1, prefix="g_")
small.initialize()
small.hybridize()
small(mxnet.nd.zeros((1, 1, 1)))
small.export("gru")
os.remove("gru-0000.params")


def write(name, records, names, tail=b""):
    content = struct.pack("<QQQ", 0x112, 0, len(records)) + b"".join(records) + struct.pack("<Q", len(names))
    for text in names:
        content += struct.pack("<Q", len(text)) + text.encode()
    with open(name, "wb") as file:
        file.write(content + tail)


def first_version(values, number):
    shape = struct.pack(f"<I{values.ndim}I", values.ndim, *values.shape)
    # Saved on the second GPU.
    return shape + struct.pack("<iii", 2, 1, number) + values.tobytes()


def version(magic, values, number):
    storage = b"" if magic == 0xF993FAC8 else struct.pack("<i", 0)
    shape = struct.pack(f"<i{values.ndim}q", values.ndim, *values.shape)
    return struct.pack("<I", magic) + storage + shape + struct.pack("<iii", 1, 0, number) + values.tobytes()


single, double = matrix.astype("f4"), matrix.astype("f8")
write("version0.params", [first_version(single, 0), first_version(double[0], 1)], ["a", "b"])
write("version1.params", [version(0xF993FAC8, single, 0), version(0xF993FAC8, double[0], 1)], ["a", "b"], b"rest")
for name in ["version0.params", "version1.params"]:
    back = mxnet.nd.load(name)
    assert (back["a"].asnumpy() == single).all() and back["a"].dtype == numpy.float32
    assert (back["b"].asnumpy() == double[0]).all() and back["b"].dtype == numpy.float64

scalar, nothing = numpy.array(2.5, "f4"), numpy.zeros((0, 3), "f4")
write("version3.params", [version(0xF993FACA, v, 0) for v in [scalar, nothing, single]], ["s", "n", "a"])
with mxnet.util.np_shape(True):
    back = mxnet.nd.load("version3.params")
    assert back["s"].shape == () and float(back["s"].asnumpy()) == 2.5
    assert back["n"].shape == (0, 3) and (back["a"].asnumpy() == single).all()

# bfloat16 as MXNet reads it: the upper halves of float32.
write("bfloat16.params", [version(0xF993FAC9, (single.view("u4") >> 16).astype("u2"), 12)], ["a"])
assert mxnet.nd.load("bfloat16.params")["a"].shape == (2, 3)
