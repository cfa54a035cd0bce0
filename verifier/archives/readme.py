"""What a case file says to whoever opens it decades later, with nothing but a ZIP program. Data only."""

from __future__ import annotations

from typing import Final

README_TEXT: Final = """\
电子证照核验卷宗
================

这是一份核验卷宗：证照原件、核验结论、回执，以及作出结论所依据的全部数据，由时间戳固定。
本文件含个人信息，请按卷宗管理规定保管，不得外传。

  evidence/    当时收到的证照
  report/      核验结论（report.json 供程序读取；report.pdf 供阅读，如有）
  receipt/     核验单位签名的回执（如有）
  trust/       当时的互认数据和状态数据：谁有权颁发、谁认可谁、证照是否有效
  anchors/ revocation/   另外信任的证书和吊销信息（如有）
  renewals/    历次更新时间戳时补充的互认数据
  META-INF/    清单和时间戳

如何核对
1. 用本软件：yinxin archive verify 文件名
2. 不用本软件：容器格式为 ETSI EN 319 162-1（ASiC-E，ZIP 压缩）。META-INF/ASiCManifest.xml 列出每个文件的
   SHA-512 摘要；META-INF/timestamp001.tst 是对该清单的 RFC 3161 时间戳。后来每次更新增加一份
   ASiCArchiveManifest*.xml 和一个时间戳，覆盖之前的全部内容。例如：
   openssl ts -verify -in META-INF/timestamp001.tst -token_in -data META-INF/ASiCManifest.xml -CAfile 时间戳机构证书
时间戳到期或算法停用之前须更新：yinxin archive renew 文件名 --tsa 地址


Case file of a verified certificate
===================================

This is a case file: the evidence, the verdict on it, the receipt, and all the data that the verdict rests on, held
together by time-stamps. It holds personal data: keep it as your records rules ask, and pass it on to nobody else.

  evidence/    the certificate as it was handed in
  report/      the verdict (report.json for programs; report.pdf for people, if there is one)
  receipt/     the receipt that the verifying agency signed, if there is one
  trust/       the trust and status data of that day: who may issue, who recognises whom, what still stood
  anchors/ revocation/   certificates trusted besides, and what was known of revocation, if anything
  renewals/    trust data that later renewals of the time-stamps brought along
  META-INF/    manifests and time-stamps

How to check it
1. With this software: yinxin archive verify FILE
2. Without: the container is an ASiC-E (ETSI EN 319 162-1), a ZIP. META-INF/ASiCManifest.xml names every file with its
   SHA-512 digest; META-INF/timestamp001.tst is an RFC 3161 time-stamp over that manifest. Every renewal adds an
   ASiCArchiveManifest*.xml and one more time-stamp over all that was there before. For example:
   openssl ts -verify -in META-INF/timestamp001.tst -token_in -data META-INF/ASiCManifest.xml -CAfile CA-OF-THE-STAMPER
Before a time-stamp's certificate or method ends, renew it: yinxin archive renew FILE --tsa URL
"""
