"""Jupyter's settings in this clone: set-up makes .venv/etc/jupyter/jupyter_config.py load them.

JupyterLab (File, Save and Export Notebook As) and "jupyter nbconvert" export HTML with the
template "gaze" and the sanitizer of clean.py.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from clean import FILTERS, describe_pictures  # noqa: E402

c = get_config()  # noqa: F821
c.HTMLExporter.template_name = "gaze"
c.HTMLExporter.filters = FILTERS
c.HTMLExporter.preprocessors = [describe_pictures]
c.HTMLExporter.extra_template_basedirs = [str(HERE / "templates")]
# An output with a picture and a slider is the picture: the slider would need a kernel.
c.NbConvertBase.display_data_priority = [
    "application/javascript", "text/html", "text/markdown", "image/svg+xml", "text/vnd.mermaid", "text/latex", "image/png",
    "image/jpeg", "application/vnd.jupyter.widget-view+json", "text/plain"]
try:
    import jupyter_server  # noqa: F401
except ImportError:  # nbconvert alone
    pass
else:
    from contents import Contents

    c.ServerApp.contents_manager_class = Contents
