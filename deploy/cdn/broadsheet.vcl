# Varnish in front of Broadsheet (tried with Varnish 7.1; TLS ends before it, in hitch, HAProxy or nginx).
#
# Varnish's own rules are not enough for a newspaper: it would refuse the cache to whoever has any cookie at all, keep
# what names no lifetime for two minutes, keep a page for ten seconds after its end whatever it says, turn HEAD into GET
# (which counts as a read), and let everybody wait in a row for a page that is never kept. The rules below are those of
# deploy/cdn/README.md, one by one. Change news.example, the address of the gate, and the address that TLS comes from.
vcl 4.1;

import std;

backend gate {
    .host = "127.0.0.1";
    .port = "8000";
    .connect_timeout = 3s;
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 30s;
}

acl tls_ends_here {
    "127.0.0.1";
}

sub vcl_recv {
    # Only what came over TLS, and only under the paper's own name.
    if (client.ip !~ tls_ends_here || req.http.X-Forwarded-Proto != "https") {
        return (synth(403));
    }
    if (req.http.Host != "news.example") {
        return (synth(421));
    }

    # What the TLS side said of the client, and nothing that the client said of itself: the last of the list is its.
    set req.http.X-Forwarded-For = regsub(regsub(req.http.X-Forwarded-For, ", *[^,]*$", ""), "^.*, *", "");
    unset req.http.Forwarded;
    unset req.http.X-Forwarded-Host;
    unset req.http.X-Forwarded-Port;
    unset req.http.X-Original-URL;
    unset req.http.X-Rewrite-URL;
    unset req.http.Proxy;

    # One spelling for each of the encodings that the gate sends.
    if (req.http.Accept-Encoding ~ "(^|,)\s*br\s*(,|$|;\s*q\s*=\s*(1|0\.0{0,2}[1-9]))") {
        set req.http.X-Encoding = "br";
    } elsif (req.http.Accept-Encoding ~ "(^|,)\s*gzip\s*(,|$|;\s*q\s*=\s*(1|0\.0{0,2}[1-9]))") {
        set req.http.X-Encoding = "gzip";
    } else {
        unset req.http.X-Encoding;
    }

    # A reader, or any request that is not a plain GET: to the gate, and nothing of it is kept.
    if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization
        || req.http.Cookie ~ "(^|;)\s*(__Host-)?bs[a-z]=") {
        return (pass);
    }
    # HEAD may be answered from what lies here; what does not lie here must not be fetched with GET.
    if (req.method == "HEAD") {
        return (pass);
    }
    unset req.http.Cookie;
    return (hash);
}

sub vcl_hash {
    # The address as it was sent, in no other spelling. A story and a front take no parameter but a gift's or a seat's.
    if (req.url ~ "^/[a-z0-9-]{1,40}/[a-z0-9-]{0,90}-[1-9][0-9]{0,17}\?" && req.url !~ "gift|seat|%") {
        hash_data(regsub(req.url, "\?.*$", ""));
    } else {
        hash_data(req.url);
    }
    hash_data(req.http.Host);
    hash_data(req.http.X-Encoding);
    return (lookup);
}

sub vcl_backend_fetch {
    # Varnish would ask for gzip in the name of everybody; the gate is asked for what this client takes.
    if (bereq.http.X-Encoding) {
        set bereq.http.Accept-Encoding = bereq.http.X-Encoding;
    } else {
        unset bereq.http.Accept-Encoding;
    }
    unset bereq.http.X-Encoding;
}

sub vcl_backend_response {
    set beresp.do_gunzip = false;
    set beresp.do_gzip = false;
    unset beresp.http.Vary;     # cookies never come this far, and the encoding stands in the key
    if (beresp.http.Cache-Control ~ "(?i)public" && beresp.http.Cache-Control ~ "(?i)max-age=" && !beresp.http.Set-Cookie) {
        # What the answer says, and not a second more: a story withdrawn at the gate is out of here two minutes later.
        set beresp.grace = std.duration(regsub(beresp.http.Cache-Control,
            "^.*stale-while-revalidate=([0-9]{1,3})([^0-9].*)?$", "\1s"), 0s);
        if (beresp.grace > 60s) {
            set beresp.grace = 60s;
        }
        set beresp.keep = 10m;
        return (deliver);
    }
    # Not kept, and nobody waits in a row for it: the next request for this address goes through at once.
    set beresp.uncacheable = true;
    set beresp.ttl = 120s;
    set beresp.grace = 0s;
    return (deliver);
}

sub vcl_deliver {
    set resp.http.Vary = "Accept-Encoding";
    if (obj.hits > 0) {
        set resp.http.Broadsheet-Cache = "HIT";
    } else {
        set resp.http.Broadsheet-Cache = "MISS";
    }
    unset resp.http.Via;
    unset resp.http.X-Varnish;
}
