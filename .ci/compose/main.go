// Command compose loads Compose files, each over the one before, with the specification's reference implementation, which holds the
// specification's JSON schema: compose ENV_FILE FILE... It fails on what is not valid; no container engine is needed.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: compose ENV_FILE FILE...")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

// check loads the files once without a profile, once with all of them: what needs a service must not lose it.
func check(envFile string, files []string) error {
	for _, profiles := range [][]string{nil, {"*"}} {
		project, err := load(envFile, files, profiles)
		if err != nil {
			return fmt.Errorf("%s, profiles %v: %w", strings.Join(files, " + "), profiles, err)
		}
		fmt.Printf("profiles %v: %d services are valid: %s\n", profiles, len(project.Services), strings.Join(names(project), ", "))
	}
	return nil
}

func load(envFile string, files, profiles []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions(files,
		cli.WithEnvFiles(envFile),
		cli.WithDotEnv, // only the env file, nothing of this process: a variable without a value there is an empty one
		cli.WithProfiles(profiles),
		cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return project, project.CheckContainerNameUnicity()
}

func names(project *types.Project) []string {
	found := project.ServiceNames()
	sort.Strings(found)
	return found
}
