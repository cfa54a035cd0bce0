"""The demonstration: two fictional regions with everything real but the people. Made once in a folder, kept afterwards.

`world` and `people` say who exists, `custody` makes keys and certificates, `lists` what each region says, `founding`
holds the ceremony, `filling` opens accounts and issues the first certificates, `start` puts it together.
"""
