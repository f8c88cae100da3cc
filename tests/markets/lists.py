"""Price files as exchanges write them, with companies that do not exist."""

from __future__ import annotations

from datetime import date

UDIFF = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
    "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
    "TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4"
)
OLD = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,"
BSE_OLD = (
    "SC_CODE,SC_NAME,SC_GROUP,SC_TYPE,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,NO_TRADES,NO_OF_SHRS,NET_TURNOV,TDCLOINDI"
)


def isin(serial: int, paper: str = "01", prefix: str = "INE") -> str:
    """An invented ISIN of a company's paper, its check digit right."""
    body = f"{prefix}{serial:03d}Q{paper}01"[:11].ljust(11, "0")
    digits = "".join(str(int(sign, 36)) for sign in body)
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    return f"{body}{-total % 10}"


def udiff_row(  # one argument a column that tests vary
    day: date,
    symbol: str,
    close: str,
    prev: str,
    *,
    number: int = 1,
    series: str = "EQ",
    src: str = "NSE",
    open_: str = "",
    high: str = "",
    low: str = "",
    volume: int = 1000,
    code: str = "",
    name: str = "",
    isin_: str = "",
) -> str:
    code = code or str(10_000 + number)
    return (
        f"{day},{day},CM,{src},STK,{code},{isin_ or isin(number)},{symbol},{series},,,,,{name or symbol + ' LTD'},"
        f"{open_ or close},{high or close},{low or close},{close},{close},{prev},,{close},,,{volume},"
        f"{volume * 100}.50,12,F1,1,,,,,"
    )


def udiff(*rows: str, end: str = "\r\n") -> bytes:
    return (end.join([UDIFF, *rows]) + end).encode()


def udiff_name(day: date, src: str = "NSE") -> str:
    return f"BhavCopy_{src}_CM_0_0_0_{day:%Y%m%d}_F_0000.csv"


def old_row(
    day: date, symbol: str, close: str, prev: str, *, number: int = 1, series: str = "EQ", volume: int = 1000
) -> str:
    return (
        f"{symbol},{series},{close},{close},{close},{close},{close},{prev},{volume},{volume * 100}.50,"
        f"{day:%d-%b-%Y},12,{isin(number)},".replace(f"{day:%b}", f"{day:%b}".upper())
    )


def old(*rows: str) -> bytes:
    return ("\n".join([OLD, *rows]) + "\n").encode()
