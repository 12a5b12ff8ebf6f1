// Package league compares ways of making maps by every metric of package maps: it runs
// them over models and pictures, resumably, and turns the scores of each picture into
// intervals, tests and ranks, a record, and figures of it.
package league
