"""A small notebook that uses what notebooks can do: cells, a figure, two groups of controls."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

IMPORTS = """import (
	"fmt"
	"time"

	"gaze/pkg/explain"
	"gaze/pkg/notebook"
	"gaze/pkg/transform"
)"""
PICTURE = """func picture() *transform.Image {
	pictures := notebook.OpenStudy().Data.Train
	return notebook.Must(pictures.Image(7 % pictures.Len()))
}

%%
fmt.Println("ready")"""
SLIDERS = """%%
notebook.Sliders(func(v []float64) (notebook.Figure, error) {
	return explain.Augment(fmt.Sprintf("rotation(%g) | jitter(%g,%g,%g)", v[0], v[1], v[1], v[1]), 1, 2, picture())
}, notebook.Slider{"rotation (degrees)", 0, 90, 30}, notebook.Slider{"jitter", 0, 1, 0.5})"""
INTERACT = """%%
notebook.Interact(func(n int, kind string, flip bool) (notebook.Figure, error) {
	if flip {
		kind += " | hflip"
	}
	return explain.Augment(kind, 1, n, picture())
}, notebook.Slider{"pictures", 1, 6, 2}, notebook.Select{Name: "transform", Options: []string{"rotation(30)", "invert", "grayscale"}},
	notebook.Tick{Name: "flipped"})"""
OTHER = """%%
time.Sleep(2 * time.Second)
fmt.Println("another cell")"""

# Which cell is which.
FIRST_GROUP, SECOND_GROUP, ANOTHER = 3, 4, 5


def write(path, kernelspec):
    cells = [new_markdown_cell("# A small notebook\n\nIt has *text*, and code."), *map(new_code_cell, [IMPORTS, PICTURE, SLIDERS, INTERACT, OTHER])]
    for i, cell in enumerate(cells):
        cell["id"] = f"scratch-{i}"
    book = new_notebook(cells=cells, metadata={"kernelspec": kernelspec, "language_info": {"name": "go"}})
    nbformat.write(book, path)
