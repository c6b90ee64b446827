//! One event in three styles.

use super::generate::{Happened, Log, Place, Style};
use std::io::Write as _;

/// The fields in which something put at a place is met.
pub fn fields(style: Style, place: Place) -> &'static [&'static str] {
    let zeek = style != Style::Eve;
    match place {
        Place::Orig if zeek => &["id.orig_h"],
        Place::Orig => &["src_ip"],
        Place::Resp if zeek => &["id.resp_h"],
        Place::Resp => &["dest_ip"],
        Place::Query if zeek => &["query"],
        Place::Query => &["dns.queries.rrname"],
        Place::Answer if zeek => &["answers"],
        Place::Answer => &["dns.answers.rdata"],
        Place::Host if zeek => &["host"],
        Place::Host => &["http.hostname"],
        Place::Url if zeek => &["uri"],
        Place::Url => &["http.url"],
        Place::Referrer if zeek => &["referrer"],
        Place::Referrer => &["http.http_refer"],
        Place::Md5 if zeek => &["md5"],
        Place::Md5 => &["fileinfo.md5"],
        Place::Sha1 if zeek => &["sha1"],
        Place::Sha1 => &["fileinfo.sha1"],
        Place::Sha256 if zeek => &["sha256"],
        Place::Sha256 => &["fileinfo.sha256"],
    }
}

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";

/// Writing into memory does not fail.
macro_rules! put {
    ($out:expr, $($words:tt)*) => { let _ = write!($out, $($words)*); };
}

fn seconds(event: &Happened) -> String {
    format!("{}.{:06}", event.micros / 1_000_000, event.micros % 1_000_000)
}

pub fn zeek_json(log: Log, event: &Happened, out: &mut Vec<u8>) {
    let Happened { noise, orig, resp, port, .. } = event;
    put!(out, r#"{{"ts":{},"uid":"C{:x}","id.orig_h":"{orig}","id.orig_p":{},"id.resp_h":"{resp}","id.resp_p":{port},"#, seconds(event), noise, 1024 + noise % 60000);
    match log {
        Log::Conn => {
            put!(out, r#""proto":"tcp","service":"ssl","duration":{}.{:06},"orig_bytes":{},"resp_bytes":{},"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShADadFf","orig_pkts":{},"orig_ip_bytes":{},"resp_pkts":{},"resp_ip_bytes":{},"ip_proto":6"#,
                noise % 60, noise % 1_000_000, noise >> 48, noise >> 40, noise % 100, noise >> 47, noise % 200, noise >> 39);
        }
        Log::Dns => {
            put!(out, r#""proto":"udp","trans_id":{},"rtt":0.0{:05},"query":"{}","qclass":1,"qclass_name":"C_INTERNET","qtype":1,"qtype_name":"A","rcode":0,"rcode_name":"NOERROR","AA":false,"TC":false,"RD":true,"RA":true,"Z":0"#,
                noise % 65536, noise % 100_000, event.query);
            if !event.answers.is_empty() {
                put!(out, r#","answers":["{}"],"TTLs":[{}]"#, event.answers.join("\",\""), vec!["300.0"; event.answers.len()].join(","));
            }
            put!(out, r#","rejected":false"#);
        }
        Log::Http => {
            put!(out, r#""trans_depth":1,"method":"GET","host":"{}","uri":"{}","#, event.host, event.uri);
            if !event.referrer.is_empty() {
                put!(out, r#""referrer":"{}","#, event.referrer);
            }
            put!(out, r#""version":"1.1","user_agent":"{AGENT}","request_body_len":0,"response_body_len":{},"status_code":200,"status_msg":"OK","tags":[],"resp_fuids":["F{:x}"],"resp_mime_types":["text/html"]"#, noise >> 44, noise);
        }
        Log::Files => {
            put!(out, r#""fuid":"F{:x}","source":"HTTP","depth":0,"analyzers":["MD5","SHA1","SHA256"],"mime_type":"application/x-dosexec","duration":0.{:06},"local_orig":false,"is_orig":false,"seen_bytes":{},"total_bytes":{},"missing_bytes":0,"overflow_bytes":0,"timedout":false,"md5":"{}","sha1":"{}","sha256":"{}""#,
                noise, noise % 1_000_000, noise >> 40, noise >> 40, event.md5, event.sha1, event.sha256);
        }
    }
    out.extend_from_slice(b"}\n");
}

/// The header of a log; how many lines it has.
pub fn header(log: Log, out: &mut Vec<u8>) -> u64 {
    let (path, fields, types) = match log {
        Log::Conn => ("conn",
            "proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents ip_proto",
            "enum string interval count count string bool bool count string count count count count set[string] count"),
        Log::Dns => ("dns",
            "proto trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected",
            "enum count interval string count string count string count string bool bool bool bool count vector[string] vector[interval] bool"),
        Log::Http => ("http",
            "trans_depth method host uri referrer version user_agent origin request_body_len response_body_len status_code status_msg tags username resp_fuids resp_mime_types",
            "count string string string string string string string count count count string set[enum] string vector[string] vector[string]"),
        Log::Files => ("files",
            "fuid source depth analyzers mime_type filename duration local_orig is_orig seen_bytes total_bytes missing_bytes overflow_bytes timedout md5 sha1 sha256",
            "string string count set[string] string string interval bool bool count count count count bool string string string"),
    };
    let tabs = |words: &str| words.replace(' ', "\t");
    put!(out, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{path}\n#open\t2023-11-14-22-13-20\n");
    put!(out, "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t{}\n", tabs(fields));
    put!(out, "#types\ttime\tstring\taddr\tport\taddr\tport\t{}\n", tabs(types));
    8
}

pub fn zeek_tsv(log: Log, event: &Happened, out: &mut Vec<u8>) {
    let Happened { noise, orig, resp, port, .. } = event;
    put!(out, "{}\tC{:x}\t{orig}\t{}\t{resp}\t{port}\t", seconds(event), noise, 1024 + noise % 60000);
    match log {
        Log::Conn => {
            put!(out, "tcp\tssl\t{}.{:06}\t{}\t{}\tSF\tT\tF\t0\tShADadFf\t{}\t{}\t{}\t{}\t-\t6\n",
                noise % 60, noise % 1_000_000, noise >> 48, noise >> 40, noise % 100, noise >> 47, noise % 200, noise >> 39);
        }
        Log::Dns => {
            put!(out, "udp\t{}\t0.0{:05}\t{}\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\t", noise % 65536, noise % 100_000, event.query);
            if event.answers.is_empty() {
                put!(out, "-\t-\tF\n");
            } else {
                put!(out, "{}\t{}\tF\n", event.answers.join(","), vec!["300.000000"; event.answers.len()].join(","));
            }
        }
        Log::Http => {
            let referrer = if event.referrer.is_empty() { "-" } else { &event.referrer };
            put!(out, "1\tGET\t{}\t{}\t{referrer}\t1.1\t{AGENT}\t-\t0\t{}\t200\tOK\t(empty)\t-\tF{:x}\ttext/html\n", event.host, event.uri, noise >> 44, noise);
        }
        Log::Files => {
            put!(out, "F{:x}\tHTTP\t0\tMD5,SHA1,SHA256\tapplication/x-dosexec\t-\t0.{:06}\tF\tF\t{}\t{}\t0\t0\tF\t{}\t{}\t{}\n",
                noise, noise % 1_000_000, noise >> 40, noise >> 40, event.md5, event.sha1, event.sha256);
        }
    }
}

pub fn eve(log: Log, event: &Happened, out: &mut Vec<u8>) {
    let Happened { noise, orig, resp, port, .. } = event;
    let kind = match log {
        Log::Conn => "flow",
        Log::Dns => "dns",
        Log::Http => "http",
        Log::Files => "fileinfo",
    };
    let second = event.micros / 1_000_000 % 86_400;
    put!(out, r#"{{"timestamp":"2023-11-14T{:02}:{:02}:{:02}.{:06}+0000","flow_id":{},"in_iface":"eth0","event_type":"{kind}","src_ip":"{orig}","src_port":{},"dest_ip":"{resp}","dest_port":{port},"proto":"TCP","ip_v":4,"#,
        second / 3600, second / 60 % 60, second % 60, event.micros % 1_000_000, noise >> 1, 1024 + noise % 60000);
    match log {
        Log::Conn => {
            put!(out, r#""app_proto":"tls","flow":{{"pkts_toserver":{},"pkts_toclient":{},"bytes_toserver":{},"bytes_toclient":{},"start":"2023-11-14T22:13:20.000137+0000","end":"2023-11-14T22:14:20.000137+0000","age":60,"state":"closed","reason":"timeout","alerted":false,"tx_cnt":1}},"tcp":{{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,"state":"closed"}}"#,
                noise % 100, noise % 200, noise >> 47, noise >> 39);
        }
        Log::Dns => {
            put!(out, r#""pkt_src":"wire/pcap","dns":{{"version":3,"type":"response","tx_id":1,"id":{},"flags":"8180","qr":true,"rd":true,"ra":true,"opcode":0,"rcode":"NOERROR","queries":[{{"rrname":"{}","rrtype":"A"}}]"#, noise % 65536, event.query);
            if !event.answers.is_empty() {
                let answers = event.answers.iter().map(|answer| format!(r#"{{"rrname":"{}","rrtype":"A","ttl":300,"rdata":"{answer}"}}"#, event.query));
                put!(out, r#","answers":[{}]"#, answers.collect::<Vec<_>>().join(","));
            }
            put!(out, "}}");
        }
        Log::Http => {
            put!(out, r#""tx_id":0,"http":{{"hostname":"{}","url":"{}","http_user_agent":"{AGENT}","http_content_type":"text/html","#, event.host, event.uri);
            if !event.referrer.is_empty() {
                put!(out, r#""http_refer":"{}","#, event.referrer);
            }
            put!(out, r#""http_method":"GET","protocol":"HTTP/1.1","status":200,"length":{}}}"#, noise >> 44);
        }
        Log::Files => {
            put!(out, r#""app_proto":"http","fileinfo":{{"filename":"/dl/{:x}.bin","sid":[],"gaps":false,"state":"CLOSED","md5":"{}","sha1":"{}","sha256":"{}","stored":false,"size":{},"tx_id":0}}"#,
                noise, event.md5, event.sha1, event.sha256, noise >> 40);
        }
    }
    out.extend_from_slice(b"}\n");
}
