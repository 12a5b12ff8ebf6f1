package main

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// TestInterruption: the request names the session of the other one.
func TestInterruption(t *testing.T) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName("spark.connect.ExecutePlanRequest")
	if err != nil {
		t.Fatal(err)
	}
	plan := kind.New()
	plan.Set(plan.Descriptor().Fields().ByName("session_id"), protoreflect.ValueOfString("a session"))
	request, err := interruption(plan.Interface())
	if err != nil {
		t.Fatal(err)
	}
	again := request.ProtoReflect()
	fields := again.Descriptor().Fields()
	if got := again.Get(fields.ByName("session_id")).String(); got != "a session" {
		t.Errorf("session %q", got)
	}
	if got := again.Get(fields.ByName("interrupt_type")).Enum(); got != 1 {
		t.Errorf("type %d", got)
	}
	if _, err := proto.Marshal(request); err != nil {
		t.Error(err)
	}
	answer, err := protoregistry.GlobalTypes.FindMessageByName("spark.connect.InterruptRequest")
	if err != nil {
		t.Fatal(err)
	}
	other := answer.Descriptor().Fields().ByName("user_context").Message()
	kind, err = protoregistry.GlobalTypes.FindMessageByName(other.FullName())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := interruption(kind.New().Interface()); err == nil || !strings.Contains(err.Error(), "has no session_id") {
		t.Errorf("a message without a session: %v", err)
	}
}
