"""Writes what ipywidgets sends for the widgets that the kernel has.

internal/widgets/defaults.json: the state of each model as its comm_open has it, where
nothing was set; the kernel's own states start from these.
An Image's bytes travel as a buffer, so they have no key.
internal/widgets/testdata/messages.json: the messages of one of each with values set, of
moves, clicks and requests for states, with the ids of comms numbered in order.
"""

import json
import re
from pathlib import Path

import comm
import comm.base_comm

log = []


class Recorder(comm.base_comm.BaseComm):
    """A comm whose messages are kept instead of sent."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        log.append({"type": msg_type, "comm_id": self.comm_id, "target_name": keys.get("target_name"), "data": data,
                    "metadata": metadata or {}, "buffers": [bytes(b).hex() for b in buffers or []]})


comm.create_comm = Recorder
import ipywidgets as w  # noqa: E402  It keeps the comm that it finds.
from ipywidgets.widgets.widget import Widget  # noqa: E402

FOLDER = Path(__file__).resolve().parent.parent.parent / "internal" / "widgets"


def receive(to, **data):
    """Hands a comm_msg from a front end to a comm."""
    to.handle_msg({"content": {"comm_id": to.comm_id, "data": data}, "buffers": [], "metadata": {}})


def defaults():
    kinds = [w.FloatSlider, w.IntSlider, w.Dropdown, w.ToggleButtons, w.Checkbox, w.Button, w.HTML, w.Image, w.VBox]
    for kind in kinds:
        kind()
    states = {}
    for message in log:
        state = dict(message["data"]["state"])
        for reference in ("layout", "style"):
            if reference in state:
                state[reference] = ""
        states.setdefault(state["_model_name"], state)
    log.clear()
    return states


def exchange():
    wide = {"style": {"description_width": "5em"}, "layout": {"width": "40em", "max_width": "100%"}}
    narrow = {"style": {"description_width": "5em"}, "layout": {"width": "max-content", "max_width": "100%"}}
    children = [
        w.FloatSlider(value=30, min=0, max=90, step=0.5, description="rotation", readout_format=".1f", **wide),
        w.IntSlider(value=2, min=1, max=12, description="layer", **wide),
        w.Dropdown(options=["mean", "max"], value="max", description="fuse", **narrow),
        w.ToggleButtons(options=["a", "b", "c"], description="letter", style=narrow["style"],
                        layout={"display": "flex", "align_items": "center"} | narrow["layout"]),
        w.Checkbox(value=True, description="grid", indent=False, layout={"max_width": "100%"}),
        w.Button(description="Another", layout={"width": "max-content", "max_width": "100%"}),
        w.HTML(layout={"display": "none"}),
        w.Image(value=b"\x89PNG", width="400", height="300"),
        w.HTML(layout={"display": "none"}),
    ]
    w.VBox(children=children)
    opened = list(log)
    log.clear()
    steps = []

    def step(name, widget, **data):
        receive(widget.comm, **data)
        steps.append({"name": name, "comm_id": widget.comm.comm_id, "data": data, "answers": list(log)})
        log.clear()

    slider, whole, drop, toggle, check, button, _, image, _ = children
    step("a move", slider, method="update", state={"value": 45.9}, buffer_paths=[])
    step("beyond the end", slider, method="update", state={"value": 120}, buffer_paths=[])
    step("an integer", whole, method="update", state={"value": 7}, buffer_paths=[])
    step("an option", drop, method="update", state={"index": 0}, buffer_paths=[])
    step("a button of several", toggle, method="update", state={"index": 2}, buffer_paths=[])
    step("a tick", check, method="update", state={"value": False}, buffer_paths=[])
    step("a click", button, method="custom", content={"event": "click"})
    step("a request for the state", slider, method="request_state")
    step("a request for a picture", image, method="request_state")
    control = Recorder(target_name="jupyter.widget.control", primary=False)
    Widget.handle_control_comm_opened(control, {"metadata": {"version": "1.0.0"}})
    steps.append({"name": "a request for all states", "comm_id": control.comm_id, "data": {"method": "request_states"}})
    receive(control, method="request_states")
    steps[-1]["answers"] = list(log)
    return {"opened": opened, "steps": steps}


def numbered(value):
    """The value as JSON with the ids of comms replaced by their number, in the order of their opening."""
    ids = [m["comm_id"] for m in value["opened"]] + [s["comm_id"] for s in value["steps"]]
    number = {id: f"comm-{n:02}" for n, id in enumerate(dict.fromkeys(ids), 1)}
    text = re.sub("[0-9a-f]{32}", lambda m: number[m[0]], json.dumps(value))
    return json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


table = defaults()
Widget.close_all()
log.clear()
(FOLDER / "testdata").mkdir(parents=True, exist_ok=True)
(FOLDER / "defaults.json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
(FOLDER / "testdata" / "messages.json").write_text(numbered(exchange()))
