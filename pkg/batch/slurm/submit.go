package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// usualMaxArray is Slurm's MaxArraySize unless a cluster's configuration says otherwise.
const usualMaxArray = 1001

// MaxTasks is how many tasks an array may have on this cluster, or Slurm's usual number where
// there is no Slurm.
func MaxTasks(ctx context.Context) int {
	text, err := run(ctx, "", "scontrol", "show", "config")
	if err != nil {
		return usualMaxArray
	}
	return maxTasks(text)
}

// maxTasks finds MaxArraySize in the text of 'scontrol show config'. It is one more than the
// largest index of an array, and 0 where arrays are switched off.
func maxTasks(config string) int {
	for line := range strings.Lines(config) {
		name, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(name) != "MaxArraySize" {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n > 0 {
			return n
		}
	}
	return usualMaxArray
}

// Submit submits a script and returns the number of the Slurm job.
func Submit(ctx context.Context, script string, options ...string) (string, error) {
	out, err := run(ctx, script, "sbatch", append([]string{"--parsable"}, options...)...)
	if err != nil {
		return "", err
	}
	id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // the cluster's name may follow
	if _, err := strconv.Atoi(id); err != nil {
		return "", fmt.Errorf("sbatch answered %.100q, not with a job's number", out)
	}
	return id, nil
}

// Queued lists the jobs of a name that wait or run, each once.
func Queued(ctx context.Context, name string) ([]string, error) {
	return squeue(ctx, "--name="+name)
}

// Live says whether a task of a job still waits or runs.
func Live(ctx context.Context, id string) (bool, error) {
	ids, err := squeue(ctx, "--jobs="+id)
	if err != nil && strings.Contains(err.Error(), "Invalid job id") { // it ended some minutes ago
		return false, nil
	}
	return len(ids) > 0, err
}

// squeue lists the numbers of jobs that wait or run, without those of array tasks.
func squeue(ctx context.Context, which string) ([]string, error) {
	out, err := run(ctx, "", "squeue", "--noheader", "--format=%F", which)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var ids []string
	for _, id := range strings.Fields(out) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// run runs a program of Slurm's.
func run(ctx context.Context, in, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var out, text bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &text
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%s isn't here: run this where Slurm's commands are, such as a login node", program)
	case err != nil && text.Len() > 0:
		return "", fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(text.String()))
	case err != nil:
		return "", fmt.Errorf("%s: %w", program, err)
	}
	return out.String(), nil
}
