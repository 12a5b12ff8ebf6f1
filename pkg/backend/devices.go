package backend

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gomlx/compute"
)

// devicesOption asks for several devices in a specification of XLA on the CPU.
const devicesOption = "devices"

// maxDevices bounds the devices of a CPU client. Each takes threads, and no use is known for
// more.
const maxDevices = 64

// cutDevices takes the option devices=N out of a configuration of go-xla, which doesn't know
// it. Without it the number is 1.
func cutDevices(config string) (rest string, devices int, err error) {
	plugin, options, _ := strings.Cut(config, ",")
	rest, devices = plugin, 1
	for _, option := range strings.Split(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		if name != devicesOption {
			if option != "" {
				rest += "," + option
			}
			continue
		}
		if devices, err = strconv.Atoi(value); err != nil || devices < 1 || devices > maxDevices {
			return "", 0, fmt.Errorf("%s=%q: it must be a number from 1 to %d", devicesOption, value, maxDevices)
		}
		if isCUDA(plugin) {
			return "", 0, fmt.Errorf("%s=%s divides a processor: a CUDA plugin has a device for each GPU, which visible_devices=0;1 restricts", devicesOption, value)
		}
	}
	return rest, devices, nil
}

// CheckDevices returns an error if a backend has fewer than n devices. It says how many there
// are, and how a processor can stand for several.
func CheckDevices(b compute.Backend, n int) error {
	have := b.NumDevices()
	if n <= have {
		return nil
	}
	hint := ""
	if x, ok := b.(interface{ PluginName() string }); ok && !isCUDA(x.PluginName()) {
		hint = fmt.Sprintf(": to divide the processor among several, which tests programs and makes nothing faster, set %s=xla:cpu,%s=%d", compute.ConfigEnvVar, devicesOption, n)
	}
	return fmt.Errorf("there is %s, not %d, on %s%s", count(have, "device"), n, b.Description(), hint)
}

func count(n int, what string) string {
	if n == 1 {
		return "only 1 " + what
	}
	return fmt.Sprintf("only %d %ss", n, what)
}
