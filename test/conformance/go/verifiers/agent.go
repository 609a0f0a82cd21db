package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// withAgent runs a command beside an SSH agent that holds one key, because that is where litewitness
// keeps its own. KEY in the command stands for the key's fingerprint. Both end when standard input
// does, so that neither outlives the test that started them.
func withAgent(args []string) (string, error) {
	if len(args) < 3 {
		return "", errors.New(usage)
	}
	socket, command := args[0], args[2:]
	seed, err := hex.DecodeString(args[1])
	if err != nil || len(seed) != ed25519.SeedSize {
		return "", errors.New("the seed is 32 bytes in hex")
	}
	private := ed25519.NewKeyFromSeed(seed)
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return "", err
	}
	if err := serveAgent(socket, private); err != nil {
		return "", err
	}
	for i, word := range command {
		command[i] = strings.ReplaceAll(word, "KEY", ssh.FingerprintSHA256(public))
	}
	child := exec.Command(command[0], command[1:]...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		return "", err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		child.Process.Kill()
	}()
	return "", child.Wait()
}

func serveAgent(socket string, private ed25519.PrivateKey) error {
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(keys, connection)
		}
	}()
	return nil
}
