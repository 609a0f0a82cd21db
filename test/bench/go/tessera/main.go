// Appends entries to a new log with Tessera's POSIX driver.
//
// usage: tessera DIRECTORY ENTRIES KEY COUNT WRITERS [BATCH AGE]
//
// ENTRIES is a file of entries, each behind its length as a big-endian uint16, that are added in turn
// until COUNT are in the log. BATCH and AGE are those of Tessera's WithBatching; its defaults unless
// given. An entry counts once its future has settled: then it is integrated and synced. What comes
// after, a checkpoint every ten seconds, is not waited for.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"
)

func main() {
	if len(os.Args) != 6 && len(os.Args) != 8 {
		fmt.Fprintln(os.Stderr, "usage: tessera DIRECTORY ENTRIES KEY COUNT WRITERS [BATCH AGE]")
		os.Exit(2)
	}
	quiet()
	ctx := context.Background()
	entries := readEntries(os.Args[2])
	count, writers := number(os.Args[4]), number(os.Args[5])
	appender := open(ctx)
	_, err := appender.Add(ctx, tessera.NewEntry(entries[0]))()
	check(err)

	latencies := make([][]float64, writers)
	var next atomic.Int64
	var all sync.WaitGroup
	from, startedAt := cpuSeconds(), time.Now()
	for w := range writers {
		all.Go(func() {
			for {
				n := int(next.Add(1))
				if n >= count {
					return
				}
				asked := time.Now()
				_, err := appender.Add(ctx, tessera.NewEntry(entries[n%len(entries)]))()
				check(err)
				latencies[w] = append(latencies[w], time.Since(asked).Seconds()*1000)
			}
		})
	}
	all.Wait()
	cpu, wall := cpuSeconds()-from, time.Since(startedAt).Seconds()
	sorted := slices.Concat(latencies...)
	slices.Sort(sorted)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"leaves":      len(sorted),
		"cpuSeconds":  cpu,
		"wallSeconds": wall,
		"p50":         sorted[len(sorted)/2],
		"p99":         sorted[len(sorted)*99/100],
	}))
}

func open(ctx context.Context) *tessera.Appender {
	key, err := os.ReadFile(os.Args[3])
	check(err)
	signer, err := note.NewSigner(strings.TrimSpace(string(key)))
	check(err)
	driver, err := posix.New(ctx, posix.Config{Path: os.Args[1]})
	check(err)
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer)
	if len(os.Args) == 8 {
		age, err := time.ParseDuration(os.Args[7])
		check(err)
		options = options.WithBatching(uint(number(os.Args[6])), age)
	}
	appender, _, _, err := tessera.NewAppender(ctx, driver, options)
	check(err)
	return appender
}

func readEntries(path string) [][]byte {
	text, err := os.ReadFile(path)
	check(err)
	var entries [][]byte
	for len(text) > 0 {
		end := 2 + int(binary.BigEndian.Uint16(text))
		entries = append(entries, text[2:end])
		text = text[end:]
	}
	return entries
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func quiet() {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	check(flags.Set("logtostderr", "false"))
	klog.SetOutput(io.Discard)
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
