"""Writes the golden files of BatonFormatsTests beside itself.

Run with: pip install numpy==2.4.6 safetensors==0.8.0 torch==2.15.0; python make_goldens.py
"""

import json
import os

import numpy
import safetensors
import safetensors.torch
import torch

os.chdir(os.path.dirname(os.path.abspath(__file__)))
made_by = f"numpy {numpy.__version__}, safetensors {safetensors.__version__}, torch {torch.__version__}"

row = torch.arange(6, dtype=torch.float32).reshape(2, 3)
safetensors.torch.save_file(
    {
        "single": row / 4,
        "double": row.double() / 8,
        "half": row.half() / 16 - 0.1,
        "brain": row.bfloat16() / 3,
        "int": row.int() - 3,
        "long": row.long() * 10**12,
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "byte": row.byte(),
        'quoted "name"\\ é': torch.tensor([1.0]),
    },
    "python.safetensors",
    metadata={"made_by": made_by, "note": 'line\nbreak "é"'},
)
# What float32 makes of the two 16-bit types, by torch itself.
json.dump(
    {
        "half": [float(v) for v in (row.half() / 16 - 0.1).float().flatten()],
        "brain": [float(v) for v in (row.bfloat16() / 3).float().flatten()],
    },
    open("widened.json", "w"),
)

cube = numpy.arange(24).reshape(2, 3, 4)
for descr in ["<f4", "<f8", "<i4", "<i8"]:
    name = descr[1:]
    with open(f"c_{name}.npy", "wb") as file:
        numpy.lib.format.write_array(file, cube.astype(descr), version=(1, 0))
    with open(f"fortran_{name}.npy", "wb") as file:
        numpy.lib.format.write_array(file, numpy.asfortranarray(cube.astype(descr)), version=(2, 0))
with open("version3.npy", "wb") as file:
    numpy.lib.format.write_array(file, cube.astype("<f4"), version=(3, 0))
numpy.save("scalar.npy", numpy.float64(2.5))
numpy.save("vector.npy", numpy.arange(3, dtype="<i4"))
numpy.save("big_endian.npy", numpy.arange(3, dtype=">f4"))
numpy.save("bytes.npy", numpy.arange(3, dtype="|u1"))
numpy.save("records.npy", numpy.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
