// Package plots draws figures: heat maps, overlays of a map on a photograph,
// grids and dense atlases of those with one shared colour bar, line charts with
// bands, bar charts, confusion matrices and tables.
//
// A figure is a plain struct: fill it in, then call Image for a picture at any
// resolution or SVG for an SVG document. Both are drawn by the same code, so
// they agree. Zero fields mean sensible defaults. Input that can't be drawn (no
// values, ragged rows) is an error that says what is wrong; NaN has a colour of
// its own. The same figure always gives the same bytes.
//
// The package knows numbers and pictures. It doesn't know models.
package plots
