package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/apache/spark-connect-go/spark/client/channel"
	"github.com/apache/spark-connect-go/spark/sql"
	"github.com/apache/spark-connect-go/spark/sql/types"
	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/credentials/oauth"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// query runs a query on the Connect server at the URL remote. If the context ends first, the
// query is called off.
func query(ctx context.Context, remote, text string) ([]types.Row, error) {
	base, err := channel.NewBuilder(remote)
	if err != nil {
		return nil, err
	}
	c := &connection{BaseBuilder: base}
	session, err := sql.NewSessionBuilder().WithChannelBuilder(c).Build(ctx)
	if err != nil {
		return nil, err
	}
	frame, err := session.Sql(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := frame.Collect(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, errors.Join(err, c.interrupt())
	}
	return rows, err
}

// connection connects as channel.BaseBuilder does, and keeps the last request: the client
// can't call a query off, for which its session's number is needed.
type connection struct {
	*channel.BaseBuilder
	conn *grpc.ClientConn
	mu   sync.Mutex
	last proto.Message
}

// Build connects to the server.
func (c *connection) Build(context.Context) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{grpc.WithAuthority(c.Host()), grpc.WithStreamInterceptor(c.intercept)}
	if c.Token() == "" {
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	} else {
		token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: c.Token(), TokenType: "bearer"})
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{})),
			grpc.WithPerRPCCredentials(oauth.TokenSource{TokenSource: token}))
	}
	conn, err := grpc.NewClient(net.JoinHostPort(c.Host(), strconv.Itoa(c.Port())), options...)
	c.conn = conn
	return conn, err
}

// intercept has the requests of a stream seen.
func (c *connection) intercept(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := streamer(ctx, desc, conn, method, opts...)
	return &seenStream{stream, c}, err
}

// seenStream is a stream whose requests are kept.
type seenStream struct {
	grpc.ClientStream
	c *connection
}

func (s *seenStream) SendMsg(m any) error {
	if request, ok := m.(proto.Message); ok {
		s.c.mu.Lock()
		s.c.last = request
		s.c.mu.Unlock()
	}
	return s.ClientStream.SendMsg(m)
}

// patience is how long the server may take to call a query off.
const patience = 10 * time.Second

// interrupt calls off everything in the session of the last request.
func (c *connection) interrupt() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		return nil
	}
	request, err := interruption(c.last)
	if err != nil {
		return fmt.Errorf("calling the query off: %w", err)
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName("spark.connect.InterruptResponse")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for name, value := range c.Headers() {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	err = c.conn.Invoke(ctx, "/spark.connect.SparkConnectService/Interrupt", request, kind.New().Interface())
	if err != nil {
		return fmt.Errorf("calling the query off: %w", err)
	}
	return nil
}

// interruption is the request that ends what the session of another request does. The
// client's package of Spark's messages can't be imported, but it registers them.
func interruption(other proto.Message) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName("spark.connect.InterruptRequest")
	if err != nil {
		return nil, err
	}
	request, from := kind.New(), other.ProtoReflect()
	for _, name := range []protoreflect.Name{"session_id", "user_context"} {
		source, target := from.Descriptor().Fields().ByName(name), request.Descriptor().Fields().ByName(name)
		if source == nil || target == nil {
			return nil, fmt.Errorf("a %s has no %s", from.Descriptor().FullName(), name)
		}
		if from.Has(source) {
			request.Set(target, from.Get(source))
		}
	}
	field := request.Descriptor().Fields().ByName("interrupt_type")
	all := field.Enum().Values().ByName("INTERRUPT_TYPE_ALL")
	if all == nil {
		return nil, errors.New("there is no INTERRUPT_TYPE_ALL")
	}
	request.Set(field, protoreflect.ValueOfEnum(all.Number()))
	return request.Interface(), nil
}
