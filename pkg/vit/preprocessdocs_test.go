package vit

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docsOf are the rows of the tables of keys in docs/preprocessing.md, as the code
// has them.
func docsOf() map[string][]string {
	rows := map[string][]string{}
	for _, known := range processorKeys {
		table := map[keyRole]string{obeyed: "processor", harmless: "processor, harmless", foreign: "processor, foreign"}[known.role]
		rows[table] = append(rows[table], row2(known.key, known.does))
	}
	for _, known := range pretrainedKeys {
		table := map[keyRole]string{obeyed: "pretrained", harmless: "pretrained, harmless"}[known.role]
		rows[table] = append(rows[table], row2(known.key, known.does))
	}
	for i := range processorClasses {
		c := &processorClasses[i]
		v := c.values()
		crop := "–"
		if v["do_center_crop"] == true {
			crop = shortJSON(v["crop_size"])
		}
		mean := map[string]string{"[0.5,0.5,0.5]": "0.5"}[shortJSON(v["image_mean"])]
		if mean == "" {
			mean = "CLIP's"
		}
		filter, err := pilFilter(v["resample"])
		if err != nil {
			panic(err)
		}
		rows["classes"] = append(rows["classes"], fmt.Sprintf("| `%s` | `%s` | %s | %s | %s | %s |", c.fullName(), strings.ReplaceAll(shortJSON(v["size"]), ",", ", "), filter, quoted(crop), mean, "`"+strings.Join(c.modelTypes, "`, `")+"`"))
	}
	return rows
}

func row2(key, does string) string { return fmt.Sprintf("| `%s` | %s |", key, does) }

func quoted(text string) string {
	if text == "–" {
		return text
	}
	return "`" + strings.ReplaceAll(text, ",", ", ") + "`"
}

var writeDocs = flag.Bool("write-docs", false, "write the tables of docs/preprocessing.md")

// The page's tables are those of the code: rows that are missing, others, and
// another order are errors. With -write-docs they are written.
func TestPreprocessingDocs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "preprocessing.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	rows := docsOf()
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		marked := regexp.MustCompile(`(?s)(<!-- ` + regexp.QuoteMeta(table) + ` -->\n\|[^\n]*\n\|[-|]*\|\n)(.*?)(<!-- end -->)`)
		found := marked.FindStringSubmatch(text)
		if found == nil {
			t.Errorf("the page has no table %q", table)
			continue
		}
		want := strings.Join(rows[table], "\n") + "\n"
		if found[2] != want {
			t.Errorf("the page's table %q is\n%swant\n%s", table, found[2], want)
		}
		text = strings.Replace(text, found[0], found[1]+want+found[3], 1)
	}
	if *writeDocs && text != string(page) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
