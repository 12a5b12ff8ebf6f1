// Package plots draws figures: heat maps, overlays of a map on a photograph,
// grids and dense atlases of those with one shared colour bar, line charts with
// bands, bar charts, confusion matrices and tables.
//
// A figure is a plain struct: fill it in, then ask it for a picture
// (Image, at any sharpness) or an SVG document (SVG). Both come from the same
// drawing, so they agree. Zero fields mean sensible defaults. What can't be
// drawn (no values, ragged rows) is an error that says what was wrong; NaN is
// drawn in a colour of its own. The same figure gives the same bytes each time.
//
// The package knows numbers and pictures; it knows nothing of models.
package plots
