package data

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// captionColumns are the names of the column with captions, in an imagefolder's table.
var captionColumns = []string{"text", "caption", "captions"}

// captionRow is a line of such a table.
type captionRow struct {
	line                     int
	filename, id, split      string
	license, licenseURL, url string
	captions                 []string
}

// openCaptionFolder reads an imagefolder of Hugging Face's datasets: a folder with a
// metadata.csv or metadata.jsonl, or with folders of splits that have one each. read reads
// a table.
func openCaptionFolder(dir string, read func(path, folder, split string) (*CaptionSet, error)) (*CaptionSet, error) {
	own, err := metadataIn(dir)
	if err != nil {
		return nil, err
	}
	if own != "" {
		return read(own, dir, "")
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	whole := &CaptionSet{Root: dir}
	from := map[string]string{}
	for _, e := range list {
		inside := filepath.Join(dir, e.Name())
		if isIgnored(e.Name()) || !isFolder(inside) {
			continue
		}
		table, err := metadataIn(inside)
		if err != nil {
			return nil, err
		}
		if table == "" {
			continue
		}
		split := splitName(e.Name())
		if other, twice := from[split]; twice {
			return nil, fmt.Errorf("%s and %s are the same split (%s): remove or rename one", other, inside, split)
		}
		from[split] = inside
		part, err := read(table, inside, split)
		if err != nil {
			return nil, err
		}
		whole.Pictures = append(whole.Pictures, part.Pictures...)
		whole.Missing = append(whole.Missing, part.Missing...)
		whole.Notes = append(whole.Notes, part.Notes...)
	}
	if len(from) == 0 {
		return nil, fmt.Errorf("%s: neither it nor a folder in it has a metadata.csv or metadata.jsonl: name the file of captions and the folder of pictures", dir)
	}
	return whole, nil
}

// metadataIn is the path of a folder's metadata table, "" if there is none.
func metadataIn(dir string) (string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range list {
		if isMetadata(e.Name()) && !isFolder(filepath.Join(dir, e.Name())) {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s: it holds several tables (%s): keep one", dir, strings.Join(baseNames(found), ", "))
}

// openCaptionTable reads a table of captions; split is that of all its pictures, "" if
// the table or the pictures' folders say.
func openCaptionTable(path, folder, split string) (*CaptionSet, error) {
	b, err := newCaptionBuilder(path, folder)
	if err != nil {
		return nil, err
	}
	return b.table(split)
}

// readCaptionTable is openCaptionTable that doesn't look for the pictures.
func readCaptionTable(path, folder, split string) (*CaptionSet, error) {
	b := &captionBuilder{set: &CaptionSet{Root: folder}, path: path, textOnly: true}
	return b.table(split)
}

// table reads the builder's file as a table.
func (b *captionBuilder) table(split string) (*CaptionSet, error) {
	path := b.path
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parse := parseCaptionTable
	if isJSONLines(path) {
		parse = parseCaptionLines
	}
	rows, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	merged, err := mergeRows(rows)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	for _, r := range merged {
		p := Captioned{ID: r.id, Split: split, Captions: r.captions, License: r.license, LicenseURL: r.licenseURL, URL: r.url}
		if p.ID == "" {
			p.ID = r.filename
		}
		if r.split != "" {
			p.Split = splitName(r.split)
		}
		if p.Split == "" {
			p.Split = splitOfPath(r.filename)
		}
		if err := b.add(p, r.filename, "", fmt.Sprintf("line %d", r.line)); err != nil {
			return nil, err
		}
	}
	return b.finish()
}

// splitOfPath is the split that the first folder of a picture's path names, else "".
func splitOfPath(name string) string {
	first, _, nested := strings.Cut(strings.ReplaceAll(strings.TrimSpace(name), `\`, "/"), "/")
	if i, rest := splitOf(first, false); nested && i >= 0 && rest == "" {
		return splitNames[i][0]
	}
	return ""
}

// mergeRows joins the rows of a picture, which may have one for each caption. What else
// they say must be the same.
func mergeRows(rows []captionRow) ([]captionRow, error) {
	var merged []captionRow
	place := map[string]int{}
	for _, r := range rows {
		i, again := place[r.filename]
		if !again {
			place[r.filename] = len(merged)
			merged = append(merged, r)
			continue
		}
		first := &merged[i]
		for _, field := range [][3]string{
			{"id", first.id, r.id}, {"split", first.split, r.split}, {"license", first.license, r.license},
			{"license_url", first.licenseURL, r.licenseURL}, {"url", first.url, r.url},
		} {
			if field[1] != field[2] {
				return nil, fmt.Errorf("%d: %s has the %s %q, but %q on line %d", r.line, r.filename, field[0], field[2], field[1], first.line)
			}
		}
		first.captions = append(first.captions, r.captions...)
	}
	return merged, nil
}

// parseCaptionTable reads a CSV with the columns filename and text (or caption), and, if
// it has them, id, split, license, license_url and url. Errors begin with the line number.
func parseCaptionTable(r io.Reader) ([]captionRow, error) {
	rows, head, err := parseTable(r, captionColumns)
	if err != nil {
		return nil, err
	}
	out := make([]captionRow, len(rows))
	for i, row := range rows {
		cell := func(column string) string {
			if j := head.column(column); j >= 0 {
				return strings.TrimSpace(row.record[j])
			}
			return ""
		}
		out[i] = captionRow{
			line: row.line, filename: row.filename, id: cell("id"), split: cell("split"),
			license: cell("license"), licenseURL: cell("licenseurl"), url: cell("url"), captions: []string{row.label},
		}
	}
	return out, nil
}

// parseCaptionLines reads the same of JSON Lines, where the captions may also be a list.
func parseCaptionLines(r io.Reader) ([]captionRow, error) {
	lines, err := parseLines(r)
	if err != nil {
		return nil, err
	}
	out := make([]captionRow, len(lines))
	for i, l := range lines {
		row := captionRow{line: l.line}
		var failed []error
		for _, field := range []struct {
			to     *string
			column string
		}{
			{&row.filename, "filename"}, {&row.id, "id"}, {&row.split, "split"},
			{&row.license, "license"}, {&row.licenseURL, "licenseurl"}, {&row.url, "url"},
		} {
			value, err := l.text(field.column)
			*field.to, failed = value, append(failed, err)
		}
		if err := errors.Join(failed...); err != nil {
			return nil, err
		}
		if strings.TrimSpace(row.filename) == "" {
			return nil, fmt.Errorf("%d: the line has no file_name", l.line)
		}
		if row.captions, err = l.captions(); err != nil {
			return nil, err
		}
		out[i] = row
	}
	return out, nil
}

// captions are a line's captions. A line without the column is an error.
func (l jsonLine) captions() ([]string, error) {
	found := ""
	for _, column := range captionColumns {
		if _, ok := l.values[column]; !ok {
			continue
		}
		if found != "" {
			return nil, fmt.Errorf("%d: the line has %s and %s: leave one out", l.line, found, column)
		}
		found = column
	}
	if found == "" {
		return nil, fmt.Errorf("%d: the line has no %s", l.line, strings.Join(captionColumns, " or "))
	}
	return l.texts(found)
}
