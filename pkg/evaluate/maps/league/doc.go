// Package league compares ways of making maps by many metrics, and says which of them
// deserve belief, and how sure that is.
//
// [Run] makes the maps of all entrants on all pictures and has them judged (package
// maps has the judges); it can be interrupted. [Analyse] turns the scores into a [Part] of a
// [Record]: means with intervals, ranks for each picture, tests with Holm's correction, a
// gate that a metric has to pass before it counts. A record is a file of at most 2 MB that
// answers everything that its tables and figures ask.
package league
