// Judges intents as Jackstay does, with OPA as a library: the same rules written in Rego.
//
// usage: opa RULES.rego INTENTS.jsonl ACTION SECONDS
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: opa RULES.rego INTENTS.jsonl ACTION SECONDS")
	}
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	check(err)
	intents := readLines(os.Args[2])
	text, err := os.ReadFile(os.Args[1])
	check(err)
	ctx := context.Background()
	loadFrom := cpuSeconds()
	query, err := rego.New(
		rego.Query("data.jackstay.verdict"),
		rego.Module("rules.rego", string(text)),
	).PrepareForEval(ctx)
	check(err)
	loaded := cpuSeconds() - loadFrom

	verdicts := make([]string, len(intents))
	for i, intent := range intents {
		verdicts[i] = judge(ctx, query, intent)
	}
	from, judged := cpuSeconds(), 0
	for cpuSeconds()-from < seconds {
		for _, intent := range intents {
			judge(ctx, query, intent)
		}
		judged += len(intents)
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"loadSeconds": loaded,
		"judged":      judged,
		"cpuSeconds":  cpuSeconds() - from,
		"verdicts":    verdicts,
	}))
}

// The effect and every rule that fired, as `deny policy/rule policy/other`.
func judge(ctx context.Context, query rego.PreparedEvalQuery, intent []byte) string {
	input, err := ast.ValueFromReader(bytes.NewReader(intent))
	check(err)
	results, err := query.Eval(ctx, rego.EvalParsedInput(input))
	check(err)
	verdict := results[0].Expressions[0].Value.(map[string]any)
	words := []string{verdict["effect"].(string)}
	for _, id := range verdict["fired"].([]any) {
		words = append(words, id.(string))
	}
	slices.Sort(words[1:])
	return strings.Join(words, " ")
}

func readLines(path string) [][]byte {
	file, err := os.Open(path)
	check(err)
	defer file.Close()
	var lines [][]byte
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, slices.Clone(scanner.Bytes()))
	}
	check(scanner.Err())
	return lines
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
