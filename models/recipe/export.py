"""Export to ONNX, reduced to the nodes that compute the probabilities, and inference with onnxruntime."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnxmltools.convert import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as OnnxmltoolsFloats
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

ML_OPSET, OPSET, IR_VERSION = 1, 15, 8
KEPT = {"Scaler", "LinearClassifier", "TreeEnsembleClassifier"}


def convert(family, model, width):
    if family == "lightgbm":
        return convert_lightgbm(model, initial_types=[("features", OnnxmltoolsFloats([None, width]))], zipmap=False,
                                target_opset=OPSET)
    if family == "xgboost":
        return convert_xgboost(model, initial_types=[("features", OnnxmltoolsFloats([None, width]))], target_opset=OPSET)
    return to_onnx(model, initial_types=[("features", FloatTensorType([None, width]))], options={"zipmap": False},
                   target_opset={"": OPSET, "ai.onnx.ml": 3})


def reduce(converted, name, width):
    """Keeps the chain features -> (Scaler ->) classifier -> probabilities; drops the label and dummy hit rates."""
    nodes, tensor = [], "features"
    for node in converted.graph.node:
        if node.op_type not in KEPT:
            continue
        last = node.op_type != "Scaler"
        outputs = ["label", "probabilities"] if last else ["scaled"]
        kept = helper.make_node(node.op_type, [tensor], outputs, name=node.op_type, domain="ai.onnx.ml")
        kept.attribute.extend(sorted((a for a in node.attribute if a.name != "nodes_hitrates"), key=lambda a: a.name))
        nodes.append(kept)
        tensor = outputs[-1]
    if tensor != "probabilities" or len(nodes) > 2:
        raise ValueError(f"{name}: unexpected graph {[n.op_type for n in converted.graph.node]}")
    check_base_values(nodes[-1], name)
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
    )
    model = helper.make_model(graph, producer_name="countersign-models", ir_version=IR_VERSION,
                              opset_imports=[helper.make_opsetid("ai.onnx.ml", ML_OPSET), helper.make_opsetid("", OPSET)])
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def check_base_values(node, name):
    """onnxruntime returns 0.5 for every row when there are two base values and one class id."""
    for attribute in node.attribute:
        if attribute.name == "base_values" and len(attribute.floats) > 1:
            raise ValueError(f"{name}: more than one base value")


def export(family, model, name, width):
    return reduce(convert(family, model, width), name, width)


def predict(onnx_bytes, matrix):
    """Probability of the positive class, as float64."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"features": matrix.astype(np.float32)})[0][:, 1].astype(np.float64)


def shape_of_trees(onnx_bytes, inputs):
    """Trees, leaves, depth, and the largest number of distinct columns and inputs on one path; None without trees."""
    node = onnx.load_from_string(onnx_bytes).graph.node[-1]
    if node.op_type != "TreeEnsembleClassifier":
        return None
    a = {x.name: list(x.ints or x.floats or x.strings) for x in node.attribute}
    keys = list(zip(a["nodes_treeids"], a["nodes_nodeids"]))
    position = {key: i for i, key in enumerate(keys)}
    owner = {c: i for i, s in enumerate(inputs) for c in range(s["columns"][0], sum(s["columns"]))}
    leaves = depth = columns_on_path = inputs_on_path = 0
    pending = [(i, 0, frozenset()) for i, (_, node_id) in enumerate(keys) if node_id == 0]
    trees = len(pending)
    while pending:
        i, level, used = pending.pop()
        if a["nodes_modes"][i] == b"LEAF":
            leaves += 1
            depth = max(depth, level)
            columns_on_path = max(columns_on_path, len(used))
            inputs_on_path = max(inputs_on_path, len({owner[c] for c in used}))
            continue
        used = used | {a["nodes_featureids"][i]}
        tree = a["nodes_treeids"][i]
        for child in (a["nodes_truenodeids"][i], a["nodes_falsenodeids"][i]):
            pending.append((position[tree, child], level + 1, used))
    return {"count": trees, "leaves": leaves, "depth": depth, "columnsOnPath": columns_on_path,
            "inputsOnPath": inputs_on_path}
