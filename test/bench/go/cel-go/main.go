// Judges intents as Jackstay does, with cel-go: the same rules, combined the same way.
//
// usage: cel-go POLICIES.json INTENTS.jsonl ACTION SECONDS
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
)

type condition struct {
	When string `json:"when"`
}

type policy struct {
	Name string `json:"name"`
	Spec struct {
		Actions []string `json:"actions"`
		Rules   []struct {
			Name            string     `json:"name"`
			Deny            *condition `json:"deny"`
			RequireApproval *condition `json:"requireApproval"`
			Allow           *condition `json:"allow"`
		} `json:"rules"`
	} `json:"spec"`
}

type rule struct {
	id      string
	effect  string
	program cel.Program
}

var variables = []string{
	"intent", "action", "target", "plan", "agent", "class", "cluster", "namespace", "window", "now",
}

// CEL reserves the word; Jackstay knows it as a variable.
var reserved = regexp.MustCompile(`(^|[^.\w"'])namespace\b`)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: cel-go POLICIES.json INTENTS.jsonl ACTION SECONDS")
	}
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	check(err)
	policies, intents, action := os.Args[1], readLines(os.Args[2]), os.Args[3]
	loadFrom := cpuSeconds()
	rules := load(policies)
	loaded := cpuSeconds() - loadFrom
	mine := slices.Concat(rules["*"], rules[action])

	verdicts := make([]string, len(intents))
	for i, intent := range intents {
		verdicts[i] = judge(mine, intent)
	}
	from, judged := cpuSeconds(), 0
	for cpuSeconds()-from < seconds {
		for _, intent := range intents {
			judge(mine, intent)
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

func load(path string) map[string][]rule {
	options := []cel.EnvOption{ext.Strings(), cel.OptionalTypes()}
	for _, name := range variables {
		options = append(options, cel.Variable(plain(name), cel.DynType))
	}
	env, err := cel.NewEnv(options...)
	check(err)
	text, err := os.ReadFile(path)
	check(err)
	var policies []policy
	check(json.Unmarshal(text, &policies))
	byAction := map[string][]rule{}
	for _, p := range policies {
		var rules []rule
		for _, r := range p.Spec.Rules {
			effect, when := "allow", r.Allow
			if r.Deny != nil {
				effect, when = "deny", r.Deny
			}
			if r.RequireApproval != nil {
				effect, when = "requireApproval", r.RequireApproval
			}
			ast, issues := env.Compile(reserved.ReplaceAllString(when.When, "${1}namespace_"))
			check(issues.Err())
			program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
			check(err)
			rules = append(rules, rule{p.Name + "/" + r.Name, effect, program})
		}
		for _, action := range p.Spec.Actions {
			byAction[action] = append(byAction[action], rules...)
		}
	}
	return byAction
}

// The effect and every rule that fired, as `deny policy/rule policy/other`.
func judge(rules []rule, intent []byte) string {
	var parsed map[string]any
	check(json.Unmarshal(intent, &parsed))
	facts := make(map[string]any, len(parsed))
	for name, value := range parsed {
		facts[plain(name)] = whole(value)
	}
	now, err := time.Parse(time.RFC3339, parsed["now"].(string))
	check(err)
	facts["now"] = now
	fired := []string{}
	denied, failed, allowed, asked := false, false, false, false
	for _, r := range rules {
		value, _, err := r.program.Eval(facts)
		if err != nil {
			failed = true
			fired = append(fired, r.id)
			continue
		}
		matched, isBool := value.Value().(bool)
		if !isBool {
			failed = true
		}
		if !matched {
			continue
		}
		fired = append(fired, r.id)
		denied = denied || r.effect == "deny"
		allowed = allowed || r.effect == "allow"
		asked = asked || r.effect == "requireApproval"
	}
	effect := "allow"
	if denied || failed || !allowed {
		effect = "deny"
	} else if asked {
		effect = "ask"
	}
	slices.Sort(fired)
	for _, id := range fired {
		effect += " " + id
	}
	return effect
}

// Whole numbers are integers in rules: `5 > 4` does not compare a double.
func whole(value any) any {
	switch v := value.(type) {
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	case map[string]any:
		for key, item := range v {
			v[key] = whole(item)
		}
	case []any:
		for i, item := range v {
			v[i] = whole(item)
		}
	}
	return value
}

func plain(name string) string {
	if name == "namespace" {
		return "namespace_"
	}
	return name
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
