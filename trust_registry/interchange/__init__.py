"""The registry's lists in the forms of other networks: ETSI TS 119 612, ETSI TS 119 602, health certificate lists."""
